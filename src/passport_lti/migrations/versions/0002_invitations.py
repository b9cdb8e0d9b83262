"""invitations

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from passport_lti.models.types import Moment
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('invitation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('secret_hash', sa.String(length=64), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('coursera', sa.String(length=64), nullable=False),
    sa.Column('created_at', Moment(), nullable=False),
    sa.Column('expires_at', Moment(), nullable=False),
    sa.Column('used_at', Moment(), nullable=True),
    sa.Column('platform_fk', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['platform_fk'], ['platform.id'], name=op.f('fk_invitation_platform_fk')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_invitation_secret_hash'))
    )


def downgrade() -> None:
    op.drop_table('invitation')
